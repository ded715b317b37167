import { Fragment, type ReactNode } from "react";
import { CodeBlock } from "./code-block.tsx";
import styles from "./text.module.css";

/** Whom a name after an @ means: the reader, somebody else, or nobody in particular. */
export type Named = (name: string) => "you" | "other" | "nobody";

/**
 * A message's words as elements: paragraphs, > quotes, ``` fences, links, `code`, *italic*,
 * **bold** and mentions. Nothing of it is ever HTML, so nothing in a message can run.
 */
export function Text({ content, named }: { content: string; named: Named }) {
  if (onlyEmoji(content)) return <p className={styles.huge}>{content}</p>;
  return blocks(content).map((block, i) => {
    if (block.type === "code") return <CodeBlock key={i} language={block.language} code={block.text} />;
    const words = lines(block.text, named);
    return block.type === "quote" ? <blockquote key={i}>{words}</blockquote> : <p key={i}>{words}</p>;
  });
}

/** A message in one line of plain words, for quotes and previews. */
export function plainText(content: string): string {
  return content
    .replace(/```[^\n]*\n?/g, " ")
    .replace(/\*\*|`|^> ?/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

type Block = { type: "words" | "quote"; text: string } | { type: "code"; text: string; language: string };

/** Splits a message into its blocks. A fence that is never closed reaches to the end. */
export function blocks(content: string): Block[] {
  const found: Block[] = [];
  const source = content.split("\n");
  for (let i = 0; i < source.length; ) {
    const line = source[i]!;
    const fence = /^```([\w+#.-]*)\s*$/.exec(line);
    if (fence) {
      const end = source.findIndex((l, j) => j > i && /^```\s*$/.test(l));
      const code = source.slice(i + 1, end < 0 ? undefined : end).join("\n");
      found.push({ type: "code", text: code, language: fence[1]! });
      i = end < 0 ? source.length : end + 1;
      continue;
    }
    const inline = /^```(.+)```\s*$/.exec(line);
    if (inline) {
      found.push({ type: "code", text: inline[1]!, language: "" });
      i++;
      continue;
    }
    if (line.trim() === "") {
      i++;
      continue;
    }
    const type = isQuote(line) ? "quote" : "words";
    let j = i + 1;
    while (j < source.length && source[j]!.trim() !== "" && !source[j]!.startsWith("```") && isQuote(source[j]!) === (type === "quote")) j++;
    const text = source.slice(i, j).map((l) => (type === "quote" ? l.replace(/^> ?/, "") : l));
    found.push({ type, text: text.join("\n") });
    i = j;
  }
  return found;
}

function isQuote(line: string): boolean {
  return /^>(?!\S*[:;][-~]?[)(])/.test(line); // but not >:( and its kin
}

function lines(text: string, named: Named): ReactNode {
  return text.split("\n").map((line, i) => (
    <Fragment key={i}>
      {i > 0 && <br />}
      {inline(line, named)}
    </Fragment>
  ));
}

// Code first, so that nothing inside it means anything; lengths are bounded, so that no line is slow.
const pattern = new RegExp(
  [
    "`(?<code>[^`\\n]{1,4000})`",
    "(?<url>https?://[^\\s<>\"`]{1,2000})",
    "\\*\\*(?=\\S)(?<bold>[^\\n]{1,1000}?)(?<=\\S)\\*\\*",
    "(?<![\\w*])\\*(?=[^\\s*])(?<italic>[^*\\n]{1,1000})(?<=\\S)\\*(?![\\w*])",
    "(?<![\\p{L}\\p{N}_@`/.])@(?<name>[A-Za-z0-9_][A-Za-z0-9_.-]{1,29})",
  ].join("|"),
  "gu",
);

/** The elements of one line. Bold and italic may hold each other, a few deep. */
function inline(line: string, named: Named, depth = 0): ReactNode[] {
  const out: ReactNode[] = [];
  let at = 0;
  for (const match of line.matchAll(pattern)) {
    const { code, url, bold, italic, name } = match.groups!;
    let whole = match[0];
    let element: ReactNode;
    if (code !== undefined) element = <code>{code}</code>;
    else if (url !== undefined) [whole, element] = link(url);
    else if (depth > 3) continue;
    else if (bold !== undefined) element = <strong>{inline(bold, named, depth + 1)}</strong>;
    else if (italic !== undefined) element = <em>{inline(italic, named, depth + 1)}</em>;
    else [whole, element] = mention(name!, named);
    if (!element) continue;
    out.push(line.slice(at, match.index), <Fragment key={match.index}>{element}</Fragment>);
    at = match.index + whole.length;
  }
  out.push(line.slice(at));
  return out;
}

/** A link, without the full stop or bracket that ends the sentence around it. */
function link(url: string): [string, ReactNode] {
  let whole = url.replace(/[.,;:!?'*_]+$/, "");
  while (whole.endsWith(")") && whole.split(")").length > whole.split("(").length) whole = whole.slice(0, -1);
  return [
    whole,
    <a href={whole} target="_blank" rel="noopener noreferrer">
      {whole.replace(/^https?:\/\//, "").replace(/\/$/, "")}
    </a>,
  ];
}

function mention(name: string, named: Named): [string, ReactNode] {
  const trimmed = name.replace(/[.-]+$/, "");
  const who = named(trimmed.toLowerCase());
  if (who === "nobody") return ["", null];
  return [`@${trimmed}`, <span className={who === "you" ? styles.you : styles.at}>@{trimmed}</span>];
}

const emoji = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|\u200d|\ufe0f|\s)+$/u;

/** Whether a message is nothing but one to three emoji. */
function onlyEmoji(content: string): boolean {
  if (content.length > 40 || !emoji.test(content)) return false;
  return [...new Intl.Segmenter().segment(content.replace(/\s/g, ""))].length <= 3;
}
