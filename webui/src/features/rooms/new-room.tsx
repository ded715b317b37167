import { useState } from "react";
import { createRoom } from "../../state/deeds.ts";
import { useClient, useWorkspace } from "../../state/store.ts";
import { useSubmit } from "../../state/submit.ts";
import { Button } from "../../ui/button.tsx";
import { Actions, Dialog } from "../../ui/dialog.tsx";
import { Check, Field, Problem } from "../../ui/field.tsx";
import { Form } from "../../ui/page.tsx";

/** Makes a room and enters it. */
export function NewRoom({ name: given = "", onClose, onMade }: { name?: string; onClose: () => void; onMade: (room: string) => void }) {
  const client = useClient();
  const place = useWorkspace((w) => w.info?.name ?? "the workspace");
  const [name, setName] = useState(given);
  const [description, setDescription] = useState("");
  const [isPrivate, setPrivate] = useState(false);
  const { busy, field, problem, run } = useSubmit();
  const make = () => run(async () => onMade(await createRoom(client, { name: name.trim(), description: description.trim(), is_private: isPrivate })));
  return (
    <Dialog title="New room" onClose={onClose}>
      <Form onSubmit={make}>
        <Field label="Name" required maxLength={100} value={name} onChange={(e) => setName(e.target.value)} error={field === "name" ? problem : undefined} />
        <Field label="What it is for" maxLength={1000} value={description} onChange={(e) => setDescription(e.target.value)} help="Optional." />
        <Check
          label="Private"
          help={isPrivate ? "Only people who are added can see it." : `Everyone in ${place} can find and join it.`}
          checked={isPrivate}
          onChange={setPrivate}
        />
        {problem && field !== "name" && <Problem>{problem}</Problem>}
        <Actions>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="pri" type="submit" disabled={busy}>
            Create room
          </Button>
        </Actions>
      </Form>
    </Dialog>
  );
}
