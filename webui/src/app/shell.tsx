import { CircleUserRound, Compass, MessagesSquare, Users } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useState, type ReactNode } from "react";
import { Link, Redirect, Route, Switch, useLocation, useSearchParams } from "wouter";
import { NewRoom } from "../features/rooms/new-room.tsx";
import { Sidebar } from "../features/rooms/sidebar.tsx";
import { Switcher } from "../features/rooms/switcher.tsx";
import { needsAnywhere, roomLists, titleOf } from "../state/select.ts";
import { useWorkspace } from "../state/store.ts";
import { buttonClass } from "../ui/button.tsx";
import { DrawerContext, Main } from "../ui/page.tsx";
import { Badge, Empty, Skeleton } from "../ui/parts.tsx";
import { useActivity } from "./activity.ts";
import styles from "./app.module.css";
import { useKeys } from "./keys.ts";
import { RoomPage } from "./room-page.tsx";
import { useShape } from "./shape.ts";
import { useTitle } from "./title.ts";

// Pages that are not the first thing anybody sees.
const Browse = lazy(async () => ({ default: (await import("../features/rooms/browse.tsx")).Browse }));
const People = lazy(async () => ({ default: (await import("../features/people/people.tsx")).People }));
const Settings = lazy(async () => ({ default: (await import("../features/settings/settings.tsx")).Settings }));

/** The room that was open last on this device. */
const lastRoomKey = "hearth.room";

/** The frame of the window and what is on screen in it. */
export function Shell({ onSignOut }: { onSignOut: () => void }) {
  const shape = useShape();
  const [location, navigate] = useLocation();
  const [search] = useSearchParams();
  const [newRoom, setNewRoom] = useState<string>();
  const [jumping, setJumping] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const current = /^\/rooms\/([^/]+)$/.exec(location)?.[1];
  const room = current === undefined ? undefined : decodeURIComponent(current);

  const open = useCallback((id: string) => navigate(`/rooms/${encodeURIComponent(id)}`), [navigate]);
  useActivity();
  useKeys(room, open, () => setJumping(true));
  const name = useWorkspace((w) => (room && w.rooms[room] ? titleOf(w.rooms[room]) : undefined));
  useTitle(name);
  useEffect(() => {
    if (room) localStorage.setItem(lastRoomKey, room);
  }, [room]);
  useEffect(() => setDrawer(false), [location]);

  const sidebar = <Sidebar current={room} page={location} alone={shape === "stack"} onNewRoom={() => setNewRoom("")} onJump={() => setJumping(true)} />;
  const page = (
    <Suspense fallback={<Main>{null}</Main>}>
      <Switch>
        <Route path="/rooms/:id">
          {({ id }) => <RoomPage id={decodeURIComponent(id)} message={search.get("message") ?? undefined} onLeft={() => navigate("/")} />}
        </Route>
        <Route path="/browse">
          <Browse onOpen={open} onNewRoom={() => setNewRoom("")} />
        </Route>
        <Route path="/people">
          <People onOpen={open} />
        </Route>
        <Route path="/settings">
          <Settings onSignOut={onSignOut} />
        </Route>
        <Route path="/">{shape === "stack" ? <Main>{sidebar}</Main> : <FirstRoom />}</Route>
        <Route>
          <Redirect to="/" replace />
        </Route>
      </Switch>
    </Suspense>
  );
  return (
    <>
      <Skip />
      <DrawerContext value={shape === "stack" ? undefined : () => setDrawer(true)}>
        <div className={shape === "stack" ? styles.stack : styles.app}>
          {shape === "side" && sidebar}
          {page}
          {shape === "stack" && !room && <TabBar page={location} />}
        </div>
      </DrawerContext>
      {shape === "drawer" && drawer && <Drawer onClose={() => setDrawer(false)}>{sidebar}</Drawer>}
      {newRoom !== undefined && (
        <NewRoom
          name={newRoom}
          onClose={() => setNewRoom(undefined)}
          onMade={(id) => {
            setNewRoom(undefined);
            open(id);
          }}
        />
      )}
      {jumping && <Switcher onOpen={open} onNewRoom={setNewRoom} onClose={() => setJumping(false)} />}
    </>
  );
}

/** The first Tab stop. */
function Skip() {
  const toMessages = () => document.querySelector<HTMLElement>("[data-timeline], main")?.focus();
  return (
    <button type="button" className={styles.skip} onClick={toMessages}>
      Skip to messages
    </button>
  );
}

/** The rooms over the page, in a window too narrow for both. */
function Drawer({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  useEffect(() => {
    const close = (e: KeyboardEvent) => e.key === "Escape" && onClose();
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [onClose]);
  return (
    <div className={styles.drawer} onClick={(e) => e.target === e.currentTarget && onClose()}>
      {children}
    </div>
  );
}

/** Leads to the room that was open last, or to the first there is; without any, to where rooms come from. */
function FirstRoom() {
  const loaded = useWorkspace((w) => w.loaded);
  const to = useWorkspace((w) => {
    const last = localStorage.getItem(lastRoomKey);
    if (last && w.rooms[last]?.joined) return last;
    const { rooms, direct } = roomLists(w);
    return rooms[0]?.id ?? direct[0]?.id;
  });
  const place = useWorkspace((w) => w.info?.name ?? "Hearth");
  if (!loaded) {
    return (
      <Main>
        <Skeleton />
      </Main>
    );
  }
  if (to) return <Redirect to={`/rooms/${encodeURIComponent(to)}`} replace />;
  return (
    <Main>
      <Empty
        title={`Welcome to ${place}`}
        actions={
          <Link href="/browse" className={buttonClass("pri")}>
            Browse rooms
          </Link>
        }
      >
        You are in no room yet. Look at the rooms that everybody can join, or make one of your own.
      </Empty>
    </Main>
  );
}

/** The bar at the bottom of a phone's list screens. */
function TabBar({ page }: { page: string }) {
  const needs = useWorkspace(needsAnywhere);
  const tabs = [
    ["/", "Rooms", <MessagesSquare key="i" className="i" />],
    ["/browse", "Browse", <Compass key="i" className="i" />],
    ["/people", "People", <Users key="i" className="i" />],
    ["/settings", "You", <CircleUserRound key="i" className="i" />],
  ] as const;
  return (
    <nav className={styles.tabbar} aria-label="Main">
      {tabs.map(([href, name, icon]) => (
        <Link key={href} href={href} aria-current={page === href ? "page" : undefined}>
          {icon}
          <span>{name}</span>
          {href === "/" && needs > 0 && <Badge count={needs} label="need you" />}
        </Link>
      ))}
    </nav>
  );
}
