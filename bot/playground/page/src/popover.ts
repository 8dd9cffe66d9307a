import { useCallback, useEffect, useId, useRef, useState } from "react";

/**
 * A menu in the browser's top layer, placed under (or above) its button. The browser itself closes it on Escape and on a
 * click elsewhere.
 */
export function usePopover<Button extends HTMLElement = HTMLButtonElement>() {
  const id = useId();
  const button = useRef<Button>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  const place = useCallback(() => {
    const anchor = button.current?.getBoundingClientRect();
    const box = panel.current;
    if (!anchor || !box) return;
    const below = innerHeight - anchor.bottom - 12;
    const above = anchor.top - 12;
    const up = below < Math.min(box.scrollHeight, 320) && above > below;
    box.style.maxHeight = `${Math.min(360, up ? above : below)}px`;
    box.style.minWidth = `${Math.max(anchor.width, 180)}px`;
    box.style.left = `${Math.max(8, Math.min(anchor.left, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = up ? "auto" : `${anchor.bottom + 4}px`;
    box.style.bottom = up ? `${innerHeight - anchor.top + 4}px` : "auto";
  }, []);

  const show = useCallback(() => panel.current?.showPopover(), []);
  const hide = useCallback(() => panel.current?.matches(":popover-open") && panel.current.hidePopover(), []);

  useEffect(() => {
    if (!open) return;
    place();
    const follow = () => place();
    addEventListener("resize", follow);
    return () => removeEventListener("resize", follow);
  }, [open, place]);

  return {
    open,
    show,
    hide,
    place,
    button,
    panel,
    buttonProps: { ref: button, "aria-expanded": open, "aria-controls": id, popoverTarget: id },
    panelProps: {
      ref: panel,
      id,
      popover: "auto" as const,
      onToggle: (event: { newState: string; target: EventTarget }) => {
        if (event.target === panel.current) setOpen(event.newState === "open");
      },
    },
  };
}
