import { useSyncExternalStore } from "react";

/** Which of the three shapes the window has: a stack of screens, a drawer over the page, or a sidebar beside it. */
export type Shape = "stack" | "drawer" | "side";

const phone = window.matchMedia("(max-width: 719px)");
const narrow = window.matchMedia("(max-width: 959px)");

function subscribe(listener: () => void): () => void {
  phone.addEventListener("change", listener);
  narrow.addEventListener("change", listener);
  return () => {
    phone.removeEventListener("change", listener);
    narrow.removeEventListener("change", listener);
  };
}

export function useShape(): Shape {
  return useSyncExternalStore(subscribe, () => (phone.matches ? "stack" : narrow.matches ? "drawer" : "side"));
}
