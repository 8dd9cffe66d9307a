import { useId } from "react";
import type { Block, Element } from "../types";
import { useWords } from "../words";
import { Chart } from "./Chart";
import { Control } from "./Controls";
import { DataTable } from "./DataTable";
import { Picture } from "./Picture";
import { useSurface } from "./state";
import { Shown, Text } from "./Text";

/** The blocks of a message, a modal or a Home tab. Whatever can be pressed or typed in is ours; the rest is the library's. */
export function Blocks({ blocks }: { blocks: Block[] }) {
  return (
    <div className="blocks">
      {blocks.map((block, index) => (
        <OneBlock key={block.block_id ?? index} block={block} block_id={block.block_id ?? `block-${index}`} />
      ))}
    </div>
  );
}

function OneBlock({ block, block_id }: { block: Block; block_id: string }) {
  switch (block.type) {
    case "actions":
      return (
        <div className="actions">
          {block.elements.map((element: Element, index: number) => (
            <Control key={element.action_id ?? index} block_id={block_id} element={element} />
          ))}
        </div>
      );
    case "section":
      return <Section block={block} block_id={block_id} />;
    case "input":
      return <Input block={block} block_id={block_id} />;
    case "image":
      return <Picture block={block} />;
    case "table":
    case "data_table":
      return <DataTable block={block} />;
    case "data_visualization":
      return <Chart block={block} />;
    case "divider":
      return <hr />;
    case "header":
      return (
        <h3 className={`header level-${block.level ?? 1}`}>
          <Text text={block.text} />
        </h3>
      );
    case "context":
      return <Context block={block} />;
    case "video":
      return null;
    default:
      return <Shown blocks={[block]} />;
  }
}

function Context({ block }: { block: Block }) {
  return (
    <div className="context">
      {block.elements.map((element: Element, index: number) =>
        element.type === "image" ? (
          <img key={index} src={element.image_url} alt={element.alt_text ?? ""} />
        ) : (
          <Text key={index} text={element as any} />
        ),
      )}
    </div>
  );
}

function Section({ block, block_id }: { block: Block; block_id: string }) {
  const { accessory } = block;
  return (
    <div className={`section ${accessory && /checkboxes|radio/.test(accessory.type) ? "stacked" : ""}`}>
      <div className="section-text">
        {block.text && <Text text={block.text} />}
        {block.fields && (
          <div className="fields">
            {block.fields.map((field: Element, index: number) => (
              <Text key={index} text={field as any} />
            ))}
          </div>
        )}
      </div>
      {accessory?.type === "image" ? (
        <img className="accessory-image" src={accessory.image_url} alt={accessory.alt_text ?? ""} />
      ) : (
        accessory && <Control block_id={block_id} element={accessory} />
      )}
    </div>
  );
}

function Input({ block, block_id }: { block: Block; block_id: string }) {
  const words = useWords();
  const { errors } = useSurface();
  const about = useId();
  const error = errors[block_id];
  return (
    <div className={`input ${error ? "wrong" : ""}`} data-block-id={block_id}>
      <div className="input-label">
        {block.label.text} {block.optional && <span>{words.optional}</span>}
      </div>
      <Control
        block_id={block_id}
        element={block.element}
        label={block.label.text}
        quiet={!block.dispatch_action}
        invalid={Boolean(error)}
        describedBy={error || block.hint ? about : undefined}
      />
      <div id={about}>
        {error && (
          <p className="input-error" role="alert">
            {error}
          </p>
        )}
        {block.hint && <p className="input-hint">{block.hint.text}</p>}
      </div>
    </div>
  );
}
