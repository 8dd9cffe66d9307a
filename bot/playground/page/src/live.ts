import { createContext, useContext, useEffect, useRef } from "react";
import type { LiveEvent } from "./types";

type Listener = (event: LiveEvent) => void;

/** One WebSocket for the chosen user. It reconnects by itself; listeners hear `{"type":"link"}` when it opens or closes. */
export class Live {
  linked = false;
  private listeners = new Set<Listener>();
  private socket: WebSocket | null = null;
  private timer = 0;

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  open(user: string): () => void {
    let stopped = false;
    let wait = 250;
    const connect = () => {
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      const socket = new WebSocket(`${scheme}://${location.host}/playground/live?user=${encodeURIComponent(user)}`);
      this.socket = socket;
      socket.onopen = () => {
        wait = 250;
        this.linked = true;
        this.tell({ type: "link" });
      };
      socket.onmessage = (frame) => this.tell(JSON.parse(frame.data));
      socket.onclose = () => {
        if (stopped) return;
        this.linked = false;
        this.tell({ type: "link" });
        this.timer = window.setTimeout(connect, wait);
        wait = Math.min(wait * 2, 4000);
      };
    };
    connect();
    return () => {
      stopped = true;
      clearTimeout(this.timer);
      this.socket?.close();
    };
  }

  private tell(event: LiveEvent) {
    for (const listener of [...this.listeners]) listener(event);
  }
}

export const LiveContext = createContext(new Live());

/** Calls `listener` for each live event, always the latest one given. */
export function useLive(listener: Listener) {
  const live = useContext(LiveContext);
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => live.listen((event) => latest.current(event)), [live]);
}
