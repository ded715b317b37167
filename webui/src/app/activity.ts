import { useEffect } from "react";
import { useClient } from "../state/store.ts";

/** What a person does who is there. */
const deeds = ["pointerdown", "pointermove", "keydown", "wheel", "touchmove"] as const;
/** Told at most this often, in milliseconds; after five minutes without a word the server shows them as away. */
const every = 60_000;

/** Tells the server now and then that somebody is at this device. */
export function useActivity(): void {
  const client = useClient();
  useEffect(() => {
    let told = Date.now();
    const onDeed = () => {
      if (Date.now() - told < every) return;
      told = Date.now();
      client.present();
    };
    for (const deed of deeds) window.addEventListener(deed, onDeed, { passive: true });
    return () => {
      for (const deed of deeds) window.removeEventListener(deed, onDeed);
    };
  }, [client]);
}
