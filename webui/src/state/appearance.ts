import { useSyncExternalStore } from "react";

/** How the app looks on this device. */
export interface Appearance {
  readonly theme: "system" | "light" | "dark";
  readonly contrast: "system" | "more";
  readonly density: "comfortable" | "compact";
  readonly size: "14" | "16" | "18" | "20";
}

const key = "hearth.appearance";
const normal: Appearance = { theme: "system", contrast: "system", density: "comfortable", size: "16" };

let present = read();
const listeners = new Set<() => void>();
const wantsContrast = window.matchMedia("(prefers-contrast: more)");

function read(): Appearance {
  try {
    return { ...normal, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Appearance>) };
  } catch {
    return normal;
  }
}

/** Puts the appearance on the page: at the start, and whenever it or the system changes. */
export function applyAppearance(): void {
  const { dataset, style } = document.documentElement;
  if (present.theme === "system") delete dataset.theme;
  else dataset.theme = present.theme;
  dataset.density = present.density;
  if (present.contrast === "more" || wantsContrast.matches) dataset.contrast = "more";
  else delete dataset.contrast;
  style.fontSize = present.size === "16" ? "" : `${present.size}px`;
}

/** Changes the appearance at once, and for the next time. */
export function setAppearance(change: Partial<Appearance>): void {
  present = { ...present, ...change };
  try {
    localStorage.setItem(key, JSON.stringify(present));
  } catch {
    // A private window without storage: it holds for now.
  }
  applyAppearance();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useAppearance(): Appearance {
  return useSyncExternalStore(subscribe, () => present);
}

wantsContrast.addEventListener("change", applyAppearance);
