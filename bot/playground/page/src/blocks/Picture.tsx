import { useRef } from "react";
import { Cross } from "../icons";
import type { Block } from "../types";
import { useWords } from "../words";

/** An image block; a click shows it as large as the window. */
export function Picture({ block }: { block: Block }) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  if (!block.image_url) return <div className="picture-missing">{block.alt_text}</div>;
  return (
    <figure className="picture">
      {block.title && <figcaption>{block.title.text}</figcaption>}
      <button type="button" aria-label={`${words.zoom}: ${block.alt_text ?? ""}`} onClick={() => dialog.current?.showModal()}>
        <img src={block.image_url} alt={block.alt_text ?? ""} />
      </button>
      <dialog ref={dialog} className="zoom" onClick={() => dialog.current?.close()} aria-label={block.alt_text}>
        <button type="button" className="icon-button" aria-label={words.close}>
          <Cross />
        </button>
        <img src={block.image_url} alt={block.alt_text ?? ""} />
        <p>{block.alt_text}</p>
      </dialog>
    </figure>
  );
}
