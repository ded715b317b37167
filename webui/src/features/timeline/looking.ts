import { useSyncExternalStore } from "react";

const events = ["focus", "blur", "visibilitychange", "pageshow", "pagehide"] as const;

function subscribe(listener: () => void): () => void {
  for (const event of events) window.addEventListener(event, listener, true);
  document.addEventListener("visibilitychange", listener);
  return () => {
    for (const event of events) window.removeEventListener(event, listener, true);
    document.removeEventListener("visibilitychange", listener);
  };
}

/** Whether somebody can be reading: the page is visible and its window has the focus. */
export function useLooking(): boolean {
  return useSyncExternalStore(subscribe, () => document.visibilityState === "visible" && document.hasFocus());
}
