import { useEffect, useState } from "react";
import { inWords } from "../../api/http.ts";
import type { User } from "../../api/wire.ts";
import { findPeople, makeResetLink, openDirect } from "../../state/deeds.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { Avatar, presenceWord } from "../../ui/avatar.tsx";
import { Button } from "../../ui/button.tsx";
import { copyText } from "../../ui/copy.ts";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Problem } from "../../ui/field.tsx";
import { List, ListItem, Page } from "../../ui/page.tsx";
import { Empty, toast } from "../../ui/parts.tsx";

const pageSize = 50;

/** Everybody in the workspace; choosing somebody opens the conversation with them. */
export function People({ onOpen }: { onOpen: (room: string) => void }) {
  const client = useClient();
  const admin = useWorkspace((w) => w.me.role === "admin");
  const [query, setQuery] = useState("");
  const [resetLink, setResetLink] = useState<{ name: string; url: string }>();
  const { people, more, problem, loadMore } = usePeople(query);
  const talk = (id: number) =>
    void openDirect(client, [id])
      .then(onOpen)
      .catch((e: unknown) => toast(inWords(e)));
  const reset = (user: User) =>
    void makeResetLink(client, user.user_id)
      .then(({ url }) => setResetLink({ name: user.username, url }))
      .catch((e: unknown) => toast(inWords(e)));
  return (
    <Page title="People">
      <Field label="Find somebody" type="search" autoFocus value={query} onChange={(e) => setQuery(e.target.value)} />
      {problem && <Problem>{problem}</Problem>}
      <List>
        {people?.map((user) => (
          <Person key={user.user_id} user={user} onTalk={() => talk(user.user_id)} onReset={admin ? () => reset(user) : undefined} />
        ))}
      </List>
      {more && <Button onClick={loadMore}>Show more people</Button>}
      {people?.length === 0 && <Empty title="Nobody has that name">People are found by their user name or their real name.</Empty>}
      {resetLink && <ResetLinkDialog {...resetLink} onClose={() => setResetLink(undefined)} />}
    </Page>
  );
}

function Person({ user, onTalk, onReset }: { user: User; onTalk: () => void; onReset?: () => void }) {
  const presence = useWorkspace((w) => w.presence[user.user_id] ?? user.presence);
  const me = useWorkspace((w) => w.me.user_id);
  const real = [user.firstName, user.lastName].filter(Boolean).join(" ");
  const about = [real, user.role === "admin" && "administrator", presenceWord(presence)].filter(Boolean).join(", ");
  return (
    <ListItem picture={<Avatar id={user.user_id} name={user.username} presence={presence} />} title={user.user_id === me ? `${user.username} (you)` : user.username} about={about}>
      {onReset && user.user_id !== me && (
        <Button kind="gho" size="sm" onClick={onReset} aria-label={`Make a reset link for ${user.username}`}>
          Reset link
        </Button>
      )}
      <Button size="sm" onClick={onTalk} aria-label={user.user_id === me ? "Write notes to yourself" : `Write to ${user.username}`}>
        {user.user_id === me ? "Notes" : "Write"}
      </Button>
    </ListItem>
  );
}

/** People by name, a page at a time. The answer to an older question never replaces that to a newer one. */
function usePeople(query: string) {
  const client = useClient();
  const [people, setPeople] = useState<User[]>();
  const [more, setMore] = useState(false);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    let present = true;
    const timer = setTimeout(() => {
      findPeople(client, query.trim())
        .then((found) => {
          if (!present) return;
          setPeople(found);
          setMore(found.length === pageSize);
          setProblem(undefined);
        })
        .catch((e: unknown) => present && setProblem(inWords(e)));
    }, query ? 200 : 0);
    return () => {
      present = false;
      clearTimeout(timer);
    };
  }, [client, query]);
  const loadMore = () =>
    void findPeople(client, query.trim(), people?.at(-1)?.user_id)
      .then((found) => {
        setPeople([...(people ?? []), ...found]);
        setMore(found.length === pageSize);
      })
      .catch((e: unknown) => setProblem(inWords(e)));
  return { people, more, problem, loadMore };
}

function ResetLinkDialog({ name, url, onClose }: { name: string; url: string; onClose: () => void }) {
  return (
    <Dialog title={`Reset link for ${name}`} onClose={onClose}>
      <Field label="Link" readOnly value={url} onFocus={(e) => e.target.select()} help={`Hand it to ${name} and nobody else. It works once, for an hour.`} />
      <p />
      <Button kind="pri" onClick={() => void copyText(url).then((ok) => toast(ok ? "Link copied." : "Copying did not work here."))}>
        Copy
      </Button>
    </Dialog>
  );
}
