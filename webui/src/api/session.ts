import { ask, Refused, type Method } from "./http.ts";
import type { Self, SignedIn, Tokens } from "./wire.ts";

/** What the tabs of one browser tell each other about the session they share. */
type Word = { type: "token"; user: number; token: string } | { type: "out" } | { type: "in"; user: number };

export interface Registration {
  readonly username: string;
  readonly email: string;
  readonly password: string;
  readonly invite?: string;
  readonly setup_code?: string;
}

/** How this browser is signed in. */
export type Standing =
  | { readonly type: "starting" }
  | { readonly type: "unreachable" }
  /** reason: why, when it was not this tab's wish. */
  | { readonly type: "out"; readonly reason?: string }
  | { readonly type: "in"; readonly user: Self };

/**
 * The session of this browser. The refresh token is in a cookie no script can read; the
 * access token is in memory only. Tabs share tokens, so that one refresh serves all of them.
 */
export class Session {
  #standing: Standing = { type: "starting" };
  #token = "";
  #refreshing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #tabs = new BroadcastChannel("hearth-session");

  constructor() {
    this.#tabs.onmessage = (e: MessageEvent<Word>) => this.#hear(e.data);
  }

  get standing(): Standing {
    return this.#standing;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Goes on with the session of the cookie, if there is one. */
  async start(): Promise<void> {
    try {
      await this.#refresh();
      const { user } = await this.call<{ user: Self }>("GET", "/api/auth/me");
      this.#stand({ type: "in", user });
    } catch (error) {
      if (!(error instanceof Refused) || error.status >= 500) this.#stand({ type: "unreachable" });
      else this.#stand({ type: "out" });
    }
  }

  async signIn(login: string, password: string): Promise<void> {
    const who = login.includes("@") ? { email: login } : { username: login };
    this.#enter(await ask<SignedIn>("POST", "/api/auth/login", { body: { ...who, password, cookie: true } }));
  }

  /** Makes an account and signs in. False: the account waits until its e-mail address is verified. */
  async register(registration: Registration): Promise<boolean> {
    const answer = await ask<SignedIn | { token?: undefined }>("POST", "/api/auth/register", {
      body: { ...registration, cookie: true },
    });
    if (!answer.token) return false;
    this.#enter(answer);
    return true;
  }

  /** Ends the session on the server and in every tab. Without a connection it ends here all the same. */
  async signOut(): Promise<void> {
    const token = this.#token;
    this.#leave();
    this.#tell({ type: "out" });
    await ask("POST", "/api/auth/logout", { body: {}, token }).catch(() => undefined);
  }

  /** The session has ended elsewhere. */
  ended(): void {
    this.#leave("You were signed out here from another device. Sign in to go on; your drafts are kept.");
  }

  /** The account has changed. */
  changed(user: Self): void {
    this.#stand({ type: "in", user });
  }

  /** A token good for at least half a minute. Throws Refused with 401 when the session is over. */
  async token(): Promise<string> {
    if (expiry(this.#token) - Date.now() < 30_000) await this.#refresh();
    return this.#token;
  }

  /** Asks the server as the signed-in account, with a new token if the old one has run out. */
  async call<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const token = await this.token();
    try {
      return await ask<T>(method, path, { body, token });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
      if (token === this.#token) await this.#refresh();
      return await ask<T>(method, path, { body, token: this.#token });
    }
  }

  /** Whether the server still knows the session; asked when a socket is refused without a word. */
  async check(): Promise<void> {
    await this.#refresh();
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#renew().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #renew(): Promise<void> {
    const before = this.#token;
    const renew = async () => {
      if (this.#token !== before) return; // another tab was quicker
      const { token } = await ask<Tokens>("POST", "/api/auth/refresh-token", { body: {} });
      this.#hold(token);
      if (this.#standing.type === "in") this.#tell({ type: "token", user: this.#standing.user.user_id, token });
    };
    try {
      // Locks exist over HTTPS only; without them the server lets two tabs spend one cookie within ten seconds.
      await (navigator.locks ? navigator.locks.request("hearth-refresh", renew) : renew());
    } catch (error) {
      if (error instanceof Refused && error.status === 401 && this.#standing.type === "in") this.ended();
      throw error;
    }
  }

  #enter({ token, user }: SignedIn): void {
    this.#hold(token);
    this.#stand({ type: "in", user });
    this.#tell({ type: "in", user: user.user_id });
  }

  #hold(token: string): void {
    this.#token = token;
    clearTimeout(this.#timer);
    // Somewhere in the last two minutes, so that tabs do not all come at once.
    const wait = Math.max(5_000, expiry(token) - Date.now() - 60_000 - Math.random() * 60_000);
    this.#timer = setTimeout(() => void this.#refresh().catch(() => undefined), wait);
  }

  #leave(reason?: string): void {
    this.#token = "";
    clearTimeout(this.#timer);
    this.#stand({ type: "out", reason });
  }

  #stand(standing: Standing): void {
    this.#standing = standing;
    for (const listener of this.#listeners) listener();
  }

  #tell(word: Word): void {
    this.#tabs.postMessage(word);
  }

  #hear(word: Word): void {
    const own = this.#standing.type === "in" ? this.#standing.user.user_id : undefined;
    if (word.type === "token" && word.user === own) this.#hold(word.token);
    if (word.type === "out" && own !== undefined) this.#leave();
    // The cookie is somebody else's now, or somebody's at last: begin again with it.
    if (word.type === "in" && word.user !== own) location.reload();
  }
}

/** When an access token runs out, in milliseconds since 1970; 0 for none. */
function expiry(token: string): number {
  const payload = token.split(".")[1];
  if (!payload) return 0;
  const json = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  return (JSON.parse(json) as { exp: number }).exp * 1000;
}
