import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { copyText } from "../../ui/copy.ts";
import styles from "./code-block.module.css";

/** A block of code that scrolls by itself and can be copied. */
export function CodeBlock({ code, language }: { code: string; language: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <figure className={styles.code}>
      <figcaption>
        <span>{language || "Code"}</span>
        <Button kind="gho" size="sm" onClick={() => void copyText(code).then(setCopied)}>
          {copied ? <Check className="i s" /> : <Copy className="i s" />}
          {copied ? "Copied" : "Copy"}
        </Button>
      </figcaption>
      <pre tabIndex={0}>{code}</pre>
    </figure>
  );
}
