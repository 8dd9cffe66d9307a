import { useState } from "react";
import { Bars, Grid } from "../icons";
import type { Block } from "../types";
import { useWords } from "../words";
import { Plot, type Series } from "./Plot";
import { Pie } from "./Pie";

/**
 * Slack's data_visualization. Drawn here and not by the library, whose curves pass through values that nobody measured
 * and whose numbers are always English.
 */
export function Chart({ block }: { block: Block }) {
  const words = useWords();
  const [asTable, setAsTable] = useState(false);
  const { chart, title } = block;
  const pie = chart.type === "pie";
  const series: Series[] = pie ? [{ name: title ?? "", data: chart.segments }] : chart.series;
  const labels: string[] = pie
    ? chart.segments.map((segment: { label: string }) => segment.label)
    : (chart.axis_config?.categories ?? series[0]?.data.map((point) => point.label) ?? []);
  const number = new Intl.NumberFormat(words.locale, { maximumFractionDigits: 2 });
  return (
    <figure className="chart">
      <figcaption>
        <span>{title}</span>
        <button
          type="button"
          className="icon-button"
          aria-label={asTable ? words.showChart : words.showTable}
          title={asTable ? words.showChart : words.showTable}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? <Bars /> : <Grid />}
        </button>
      </figcaption>
      {asTable ? (
        <Numbers labels={labels} series={series} number={number} />
      ) : pie ? (
        <Pie segments={chart.segments} title={title ?? ""} number={number} />
      ) : (
        <Plot kind={chart.type} labels={labels} series={series} axis={chart.axis_config ?? {}} title={title ?? ""} number={number} />
      )}
    </figure>
  );
}

function Numbers({ labels, series, number }: { labels: string[]; series: Series[]; number: Intl.NumberFormat }) {
  return (
    <div className="data-table-scroll data-table plain">
      <table>
        <thead>
          <tr>
            <td />
            {series.map((one) => (
              <th key={one.name} scope="col" className="number">
                {one.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {labels.map((label, index) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              {series.map((one) => (
                <td key={one.name} className="number">
                  {one.data[index] ? number.format(one.data[index].value) : ""}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
