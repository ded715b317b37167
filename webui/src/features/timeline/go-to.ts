import { createContext, useContext } from "react";

/** Brings the reader to a message of the room on screen. */
export type GoTo = (message: string) => void;

export const GoToContext = createContext<GoTo>(() => undefined);

export function useGoTo(): GoTo {
  return useContext(GoToContext);
}
