// Writes src/api/wire.gen.ts from the schemas of ../server/openapi.json.
// With --check it writes nothing and fails when the file on disk is stale.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../../server/openapi.json", import.meta.url));
const target = fileURLToPath(new URL("../src/api/wire.gen.ts", import.meta.url));
const known = new Set([
  "$ref", "type", "enum", "const", "oneOf", "allOf", "properties", "required", "items", "additionalProperties",
  // What has no counterpart in a type:
  "unevaluatedProperties", "propertyNames", "description", "format", "pattern",
  "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "default", "examples", "example",
]);

/** The TypeScript type of a JSON schema. A keyword it does not know is an error, not a guess. */
function typeOf(schema, indent) {
  for (const key of Object.keys(schema)) {
    if (!known.has(key)) throw new Error(`wire-types: schema keyword ${key} is not supported`);
  }
  const parts = [];
  if (schema.$ref) parts.push(schema.$ref.replace("#/components/schemas/", ""));
  if (schema.allOf) parts.push(...schema.allOf.map((s) => typeOf(s, indent)));
  if (schema.oneOf) parts.push(union(schema.oneOf.map((s) => typeOf(s, indent))));
  if ("const" in schema) parts.push(JSON.stringify(schema.const));
  else if (schema.enum) parts.push(union(schema.enum.map((v) => JSON.stringify(v))));
  else if (schema.properties) parts.push(objectOf(schema, indent));
  else if (schema.type) parts.push(union([schema.type].flat().map((t) => simple(t, schema, indent))));
  return parts.length === 0 ? "unknown" : parts.join(" & ");
}

function union(types) {
  return types.length === 1 ? types[0] : `(${types.join(" | ")})`;
}

function simple(type, schema, indent) {
  switch (type) {
    case "integer":
    case "number":
      return "number";
    case "array":
      return schema.maxItems === 0 ? "[]" : `${typeOf(schema.items ?? {}, indent)}[]`;
    case "object":
      return typeof schema.additionalProperties === "object"
        ? `{ [key: string]: ${typeOf(schema.additionalProperties, indent)} }`
        : "{ [key: string]: unknown }";
    default:
      return type; // string, boolean, null
  }
}

function objectOf(schema, indent) {
  const inner = indent + "  ";
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([name, property]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
    return `${comment(property.description, inner)}${inner}${key}${required.has(name) ? "" : "?"}: ${typeOf(property, inner)};\n`;
  });
  return `{\n${lines.join("")}${indent}}`;
}

function comment(text, indent) {
  return text ? `${indent}/** ${text.replaceAll("*/", "* /")} */\n` : "";
}

const { components } = JSON.parse(readFileSync(source, "utf8"));
let out = "// Written by scripts/wire-types.mjs from server/openapi.json; do not edit.\n";
for (const [name, schema] of Object.entries(components.schemas)) {
  out += `\n${comment(schema.description, "")}export type ${name} = ${typeOf(schema, "")};\n`;
}

if (process.argv.includes("--check")) {
  let present = "";
  try {
    present = readFileSync(target, "utf8");
  } catch {
    // Missing counts as stale.
  }
  if (present !== out) {
    console.error("src/api/wire.gen.ts is stale: run npm run wire");
    process.exit(1);
  }
} else {
  writeFileSync(target, out);
}
