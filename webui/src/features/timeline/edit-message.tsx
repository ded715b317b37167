import { useState } from "react";
import { inWords } from "../../api/http.ts";
import type { WireMessage } from "../../api/wire.ts";
import { editMessage } from "../../state/deeds.ts";
import { useClient } from "../../state/store.ts";
import { Button } from "../../ui/button.tsx";
import { Problem } from "../../ui/field.tsx";
import styles from "./message.module.css";

/** The words of an own message, being changed. Escape leaves them as they were; a refusal keeps what was typed. */
export function EditMessage({ message, onDone }: { message: WireMessage; onDone: () => void }) {
  const client = useClient();
  const [text, setText] = useState(message.content);
  const [problem, setProblem] = useState<string>();
  const save = async () => {
    if (text.trim() === "" || text.trim() === message.content) return onDone();
    try {
      await editMessage(client, message, text.trim());
      onDone();
    } catch (error) {
      setProblem(inWords(error));
    }
  };
  return (
    <div className={styles.edit}>
      <textarea
        aria-label="Edit the message"
        autoFocus
        value={text}
        onFocus={(e) => e.target.setSelectionRange(text.length, text.length)}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={(e) => {
          e.stopPropagation();
          if (e.key === "Escape") onDone();
          if (e.key === "Enter" && !e.shiftKey && !e.nativeEvent.isComposing) {
            e.preventDefault();
            void save();
          }
        }}
      />
      {problem && <Problem>{problem}</Problem>}
      <div>
        <Button size="sm" onClick={onDone}>
          Cancel
        </Button>
        <Button size="sm" kind="pri" onClick={() => void save()}>
          Save
        </Button>
      </div>
    </div>
  );
}
