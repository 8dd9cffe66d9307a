import { useState } from "react";
import { Left, Right, Sort } from "../icons";
import type { Block } from "../types";
import { useWords } from "../words";
import { Shown } from "./Text";

type Cell = { type: string; text?: string; value?: number } & Record<string, any>;

const cellText = (cell: Cell): string =>
  cell.type === "rich_text"
    ? (cell.elements ?? []).flatMap((part: any) => part.elements ?? []).map((part: any) => part.text ?? "").join("")
    : (cell.text ?? "");

/**
 * Slack's data_table: the first row is the header, a click on a heading sorts, and long tables have pages. Its older
 * sibling, table, has neither; its columns say their own alignment.
 */
export function DataTable({ block }: { block: Block }) {
  const words = useWords();
  const [sorted, setSorted] = useState<{ column: number; down: boolean } | null>(null);
  const [page, setPage] = useState(0);
  const [header, ...body] = block.rows as Cell[][];
  const still = block.type === "table";
  const size = Math.max(1, still ? body.length : (block.page_size ?? 5));
  const names = block.row_header_column_index ?? 0;
  const numeric = header.map((_, column) => {
    const align = block.column_settings?.[column]?.align;
    return align ? align === "right" : body.length > 0 && body.every((row) => row[column]?.type === "raw_number");
  });

  const rows = [...body];
  if (sorted) {
    const collator = new Intl.Collator(words.locale, { numeric: true });
    const sign = sorted.down ? -1 : 1;
    rows.sort((a, b) => {
      const [left, right] = [a[sorted.column], b[sorted.column]];
      if (left?.value !== undefined && right?.value !== undefined) return sign * (left.value - right.value);
      return sign * collator.compare(cellText(left), cellText(right));
    });
  }
  const pages = Math.ceil(rows.length / size);
  const first = Math.min(page, pages - 1) * size;
  const sortBy = (column: number) => {
    setPage(0);
    setSorted((now) => (now?.column !== column ? { column, down: numeric[column] } : { column, down: !now.down }));
  };

  return (
    <figure className="data-table">
      <div className="data-table-scroll">
        <table>
          {block.caption && <caption>{block.caption}</caption>}
          <thead>
            <tr>
              {header.map((cell, column) => (
                <th
                  key={column}
                  scope="col"
                  className={numeric[column] ? "number" : ""}
                  aria-sort={sorted?.column === column ? (sorted.down ? "descending" : "ascending") : undefined}
                >
                  {still ? (
                    <span>{cellText(cell)}</span>
                  ) : (
                    <button type="button" title={words.sort(cellText(cell))} onClick={() => sortBy(column)}>
                      {cellText(cell)}
                      <Sort />
                    </button>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(first, first + size).map((row, index) => (
              <tr key={first + index}>
                {row.map((cell, column) => {
                  const content = cell.type === "rich_text" ? <Shown blocks={[cell]} /> : cellText(cell);
                  return column === names ? (
                    <th key={column} scope="row">
                      {content}
                    </th>
                  ) : (
                    <td key={column} className={numeric[column] ? "number" : ""}>
                      {content}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages > 1 && (
        <div className="data-table-pages">
          <span>{words.rows(first + 1, Math.min(first + size, rows.length), rows.length)}</span>
          <button type="button" aria-label={words.previous} disabled={first === 0} onClick={() => setPage(first / size - 1)}>
            <Left />
          </button>
          <button type="button" aria-label={words.next} disabled={first + size >= rows.length} onClick={() => setPage(first / size + 1)}>
            <Right />
          </button>
        </div>
      )}
    </figure>
  );
}
