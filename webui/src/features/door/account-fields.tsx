import { Field, Problem } from "../../ui/field.tsx";
import type { Submission } from "../../state/submit.ts";

/** Who somebody is and how they will sign in. */
export interface Account {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

export const noAccount: Account = { username: "", email: "", password: "" };

interface AccountFieldProps {
  readonly account: Account;
  readonly onChange: (account: Account) => void;
  readonly submission: Submission;
}

/** The user name, with what the server said against it. */
export function UsernameField({ account, onChange, submission }: AccountFieldProps) {
  return (
    <Field
      label="Your user name"
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      required
      minLength={3}
      maxLength={30}
      value={account.username}
      onChange={(e) => onChange({ ...account, username: e.target.value.trim() })}
      error={submission.field === "username" ? submission.problem : undefined}
    />
  );
}

/** E-mail and password, with what the server said against them or against the whole form. */
export function EmailAndPassword({ account, onChange, submission }: AccountFieldProps) {
  const { field, problem } = submission;
  return (
    <>
      <Field
        label="E-mail"
        type="email"
        autoComplete="email"
        required
        value={account.email}
        onChange={(e) => onChange({ ...account, email: e.target.value })}
        error={field === "email" ? problem : undefined}
      />
      <Field
        label="Password"
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        value={account.password}
        onChange={(e) => onChange({ ...account, password: e.target.value })}
        help="At least 8 characters. A few words are easier to type than symbols."
        error={field === "password" ? problem : undefined}
      />
      {problem && !["username", "email", "password"].includes(field) && <Problem>{problem}</Problem>}
    </>
  );
}
