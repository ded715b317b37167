import { createContext, useContext, useSyncExternalStore } from "react";
import type { Client } from "./client.ts";
import { reduce, type WorkspaceEvent } from "./reduce.ts";
import type { Workspace } from "./workspace.ts";

/** Holds the workspace and tells who listens when it has changed. */
export class Store {
  #workspace: Workspace;
  readonly #listeners = new Set<() => void>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  readonly get = (): Workspace => this.#workspace;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  dispatch(event: WorkspaceEvent): void {
    const next = reduce(this.#workspace, event);
    if (next === this.#workspace) return;
    this.#workspace = next;
    for (const listener of this.#listeners) listener();
  }
}

/** The client of the signed-in account, for everything below the shell. */
export const ClientContext = createContext<Client | undefined>(undefined);

/** What the reader can do. Only below the shell, where somebody is signed in. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error("useClient is used outside of the shell");
  return client;
}

/** A value of the workspace; renders again when it is another one. select must not build a new object each time. */
export function useWorkspace<T>(select: (workspace: Workspace) => T): T {
  const { store } = useClient();
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
