import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { Button } from "./button.tsx";
import { copyText } from "./copy.ts";
import { Field } from "./field.tsx";
import styles from "./invite-link.module.css";

/** Whether only this machine or this network can open the address. */
function reach(url: string): string {
  const { hostname } = new URL(url);
  if (hostname === "localhost" || hostname.startsWith("127.") || hostname === "[::1]") {
    return "Only this machine can open it. Open Hearth by one of its network addresses to make a link for others.";
  }
  return "Anyone who can reach this address can open it.";
}

/** A link to hand on: as a QR code, to read, and to copy. */
export function InviteLink({ url }: { url: string }) {
  const [copied, setCopied] = useState<boolean>();
  const help = copied === false ? "Copying did not work here. Select the link and copy it by hand." : reach(url);
  return (
    <>
      <QrCode text={url} />
      <div className={styles.copy}>
        <Field label="Invite link" readOnly value={url} onFocus={(e) => e.target.select()} help={help} />
        <Button onClick={() => void copyText(url).then(setCopied)}>
          {copied ? <Check className="i s" /> : <Copy className="i s" />}
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
    </>
  );
}

/** A QR code, always dark on white, so that every camera reads it. Its code is loaded when it is needed. */
function QrCode({ text }: { text: string }) {
  const [modules, setModules] = useState<boolean[][]>();
  useEffect(() => {
    let present = true;
    void import("uqr").then(({ encode }) => present && setModules(encode(text, { border: 0 }).data));
    return () => {
      present = false;
    };
  }, [text]);
  if (!modules) return null;
  const dots = modules.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return (
    <div className={styles.qr}>
      <svg viewBox={`0 0 ${modules.length} ${modules.length}`} shapeRendering="crispEdges" role="img" aria-label="QR code of the invite link">
        <path fill="#231d18" d={dots.join("")} />
      </svg>
    </div>
  );
}
