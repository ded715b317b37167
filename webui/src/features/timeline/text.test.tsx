import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import { plainText, Text, type Named } from "./text.tsx";

const named: Named = (name) => (name === "ann" ? "you" : name === "bob" ? "other" : "nobody");

function html(content: string): string {
  return renderToStaticMarkup(<Text content={content} named={named} />).replace(/ class="[^"]*"/g, "");
}

describe("the words of a message", () => {
  test.each([
    ["two lines", "a\nb", "<p>a<br/>b</p>"],
    ["an empty line between paragraphs", "a\n\nb", "<p>a</p><p>b</p>"],
    ["bold and italic", "**a** and *b c*", "<p><strong>a</strong> and <em>b c</em></p>"],
    ["italic inside bold", "**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"],
    ["code keeps its stars", "`**a**`", "<p><code>**a**</code></p>"],
    ["stars of arithmetic stay", "2*3*4 and a * b * c", "<p>2*3*4 and a * b * c</p>"],
    ["a quote", "> so\n> said\nyes", "<blockquote>so<br/>said</blockquote><p>yes</p>"],
    ["a mention of the reader, of somebody, of nobody", "@ann @bob, @carl", "<p><span>@ann</span> <span>@bob</span>, @carl</p>"],
    ["an address of mail is no mention", "me@ann.example", "<p>me@ann.example</p>"],
    ["a mention in code is none", "`@ann`", "<p><code>@ann</code></p>"],
  ])("%s", (_, content, want) => {
    expect(html(content)).toBe(want);
  });

  test("a link ends before the sentence does and opens elsewhere", () => {
    expect(html("(see https://a.example/b_(c)).")).toContain('href="https://a.example/b_(c)"');
    expect(html("see https://a.example/b.")).toBe('<p>see <a href="https://a.example/b" target="_blank" rel="noopener noreferrer">a.example/b</a>.</p>');
  });

  test("a fence is code, also when it never ends", () => {
    expect(html("```sh\nls *x*\n```\nok")).toContain('<pre tabindex="0">ls *x*</pre>');
    expect(html("```\nls")).toContain('<pre tabindex="0">ls</pre>');
  });

  test.each(["<script>alert(1)</script>", '<img src=x onerror="alert(1)">', "[a](javascript:alert(1))", "javascript:alert(1)", "**<b onclick=x>**", "`<svg/onload=x>`"])(
    "%s stays text",
    (content) => {
      expect(html(content)).not.toMatch(/<(script|img|svg|a|b)\b/);
    },
  );

  test("a hostile line takes no long time", () => {
    const began = performance.now();
    for (const part of ["**", "*a", "`", "@a.", "https://", "> "]) html(part.repeat(8_000));
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test("plain words for a preview", () => {
    expect(plainText("> so\n**a** `b`\n```sh\nls\n```")).toBe("so a b ls");
  });
});
