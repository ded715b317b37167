import { LogOut } from "lucide-react";
import { useState } from "react";
import { setAppearance, useAppearance } from "../../state/appearance.ts";
import { changePassword, makeInvite, rename, renameWorkspace } from "../../state/deeds.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { useSubmit } from "../../state/submit.ts";
import { Button } from "../../ui/button.tsx";
import { Choice, Field, Problem } from "../../ui/field.tsx";
import { InviteLink } from "../../ui/invite-link.tsx";
import { Form, Page, Setting } from "../../ui/page.tsx";
import { toast } from "../../ui/parts.tsx";

/** What the reader can set: the look of this device, their account, and for administrators the workspace. */
export function Settings({ onSignOut }: { onSignOut: () => void }) {
  const admin = useWorkspace((w) => w.me.role === "admin");
  return (
    <Page title="Settings">
      <AppearanceSettings />
      <h2>Your account</h2>
      <NameForm />
      <h2>Password</h2>
      <PasswordForm />
      {admin && <WorkspaceSettings />}
      <h2>This device</h2>
      <Setting title="Sign out" about="Drafts stay on this device.">
        <Button onClick={onSignOut}>
          <LogOut className="i s" />
          Sign out
        </Button>
      </Setting>
    </Page>
  );
}

function AppearanceSettings() {
  const { theme, contrast, density, size } = useAppearance();
  return (
    <>
      <h2>Appearance</h2>
      <Setting title="Theme">
        <Choice
          label="Theme"
          value={theme}
          options={[
            ["light", "Light"],
            ["dark", "Dark"],
            ["system", "As the system"],
          ]}
          onChange={(value) => setAppearance({ theme: value })}
        />
      </Setting>
      <Setting title="Contrast">
        <Choice
          label="Contrast"
          value={contrast}
          options={[
            ["system", "As the system"],
            ["more", "High"],
          ]}
          onChange={(value) => setAppearance({ contrast: value })}
        />
      </Setting>
      <Setting title="Density" about="Compact shows about a third more messages.">
        <Choice
          label="Density"
          value={density}
          options={[
            ["comfortable", "Comfortable"],
            ["compact", "Compact"],
          ]}
          onChange={(value) => setAppearance({ density: value })}
        />
      </Setting>
      <Setting title="Text size" about="Your browser’s own zoom works too.">
        <Choice
          label="Text size"
          value={size}
          options={[
            ["14", "Small"],
            ["16", "Normal"],
            ["18", "Large"],
            ["20", "Larger"],
          ]}
          onChange={(value) => setAppearance({ size: value })}
        />
      </Setting>
    </>
  );
}

function NameForm() {
  const client = useClient();
  const present = useWorkspace((w) => w.me.username);
  const [name, setName] = useState(present);
  const { busy, problem, run } = useSubmit();
  const save = () =>
    run(async () => {
      await rename(client, name.trim());
      toast("Your name is changed everywhere.");
    });
  return (
    <Form onSubmit={save}>
      <Field
        label="User name"
        required
        minLength={3}
        maxLength={30}
        spellCheck={false}
        value={name}
        onChange={(e) => setName(e.target.value)}
        help="Your messages show the new name too."
        error={problem}
      />
      <Button type="submit" disabled={busy || name.trim() === present}>
        Change the name
      </Button>
    </Form>
  );
}

function PasswordForm() {
  const client = useClient();
  const [before, setBefore] = useState("");
  const [after, setAfter] = useState("");
  const { busy, problem, run } = useSubmit();
  const save = () =>
    run(async () => {
      await changePassword(client, before, after);
      setBefore("");
      setAfter("");
      toast("The new password works. Your other devices are signed out.");
    });
  return (
    <Form onSubmit={save}>
      <Field label="Present password" type="password" autoComplete="current-password" required value={before} onChange={(e) => setBefore(e.target.value)} />
      <Field
        label="New password"
        type="password"
        autoComplete="new-password"
        required
        minLength={8}
        value={after}
        onChange={(e) => setAfter(e.target.value)}
        help="At least 8 characters. It signs out your other devices."
      />
      {problem && <Problem>{problem}</Problem>}
      <Button type="submit" disabled={busy}>
        Change the password
      </Button>
    </Form>
  );
}

function WorkspaceSettings() {
  const client = useClient();
  const present = useWorkspace((w) => w.info?.name ?? "");
  const [name, setName] = useState(present);
  const [url, setUrl] = useState<string>();
  const naming = useSubmit();
  const inviting = useSubmit();
  return (
    <>
      <h2>The workspace</h2>
      <Form onSubmit={() => naming.run(() => renameWorkspace(client, name.trim()))}>
        <Field label="Name" required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} error={naming.problem} />
        <Button type="submit" disabled={naming.busy || name.trim() === present}>
          Rename the workspace
        </Button>
      </Form>
      <Setting title="Bring people in" about="Whoever opens the link makes an account. It works for 7 days.">
        <Button onClick={() => inviting.run(async () => setUrl((await makeInvite(client)).url))}>Make an invite link</Button>
      </Setting>
      {inviting.problem && <Problem>{inviting.problem}</Problem>}
      {url && <InviteLink url={url} />}
    </>
  );
}
