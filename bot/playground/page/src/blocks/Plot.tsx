import { useLayoutEffect, useRef, useState } from "react";

export type Series = { name: string; data: { label: string; value: number }[] };

type Props = {
  kind: "line" | "bar" | "area";
  labels: string[];
  series: Series[];
  axis: { x_label?: string; y_label?: string };
  title: string;
  number: Intl.NumberFormat;
};

const FULL_WIDTH = 600;
const PLOT = 210;
const LONGEST = 16;
const TOP = 14;
const LETTER = 6.4;
const SLANT = 38;
const RADIANS = (SLANT * Math.PI) / 180;
const RIGHT = 14;
const TICKS = 4;

/** Round values from at or below `low` to at or above `high`, about `TICKS` of them. */
export function ticks(low: number, high: number): number[] {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / TICKS));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => span / size <= TICKS) ?? power * 10;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: Math.max(last - first, 1) + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** A line, bar or area chart: straight lines between the points, bars and areas from zero. */
export function Plot({ kind, labels, series, axis, title, number }: Props) {
  const box = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(FULL_WIDTH);
  useLayoutEffect(() => {
    // Drawn at the width there is, so that the letters stay readable on a phone.
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(200, Math.round(entry.contentRect.width))));
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const values = series.flatMap((one) => one.data.map((point) => point.value));
  const least = Math.min(...values);
  const most = Math.max(...values);
  // A line may leave zero out where the whole story is far from it; a bar or an area would lie without zero.
  const fromZero = kind !== "line" || least <= 0 || least < most * 0.6;
  const marks = ticks(fromZero ? Math.min(0, least) : least, Math.max(fromZero ? 0 : most, most));
  const [low, high] = [marks[0], marks[marks.length - 1]];
  const names = marks.map((mark) => number.format(mark));
  const beside = 14 + Math.max(...names.map((name) => name.length)) * 6.6 + (axis.y_label ? 16 : 0);
  const count = Math.max(labels.length, 1);
  const longest = Math.max(...labels.map((label) => label.length), 1);
  // Months may be skipped when they do not fit; the names under bars may not, so they lean.
  const leans = kind === "bar" && longest * LETTER > (width - beside - RIGHT) / count;
  const lean = leans ? Math.min(longest, LONGEST) * LETTER : 0;
  const half = (width - beside - RIGHT) / count / 2;
  const left = Math.max(beside, lean * Math.cos(RADIANS) - half);
  const slot = (width - left - RIGHT) / count;
  const x = (index: number) => left + slot * (index + 0.5);
  const every = leans ? 1 : Math.max(1, Math.ceil((longest * LETTER) / slot));
  const short = (label: string) => (leans && label.length > LONGEST ? `${label.slice(0, LONGEST - 1).trimEnd()}…` : label);
  const bottom = leans ? 22 + lean * Math.sin(RADIANS) : 30;
  const base = PLOT + bottom;
  const y = (value: number) => TOP + ((high - value) / (high - low)) * (PLOT - TOP);
  const height = base + (axis.x_label ? 16 : 0);
  const zero = y(Math.max(low, Math.min(0, high)));
  const bar = Math.min(34, (slot * 0.72) / series.length);
  const path = (one: Series) => one.data.map((point, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(point.value).toFixed(1)}`).join("");

  return (
    <>
      <svg ref={box} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
        {marks.map((mark, index) => (
          <g key={mark}>
            <line className={mark === 0 ? "axis" : "grid"} x1={left} x2={width - RIGHT} y1={y(mark)} y2={y(mark)} />
            <text x={left - 7} y={y(mark) + 4} textAnchor="end">
              {names[index]}
            </text>
          </g>
        ))}
        {labels.map(
          (label, index) =>
            index % every === 0 && (
              <text
                key={label}
                transform={`translate(${x(index)} ${PLOT + 20})${leans ? ` translate(4 -4) rotate(-${SLANT})` : ""}`}
                textAnchor={leans ? "end" : "middle"}
              >
                {short(label)}
              </text>
            ),
        )}
        {axis.y_label && (
          <text transform={`translate(12 ${(PLOT + TOP) / 2}) rotate(-90)`} textAnchor="middle">
            {axis.y_label}
          </text>
        )}
        {axis.x_label && (
          <text x={(left + width - RIGHT) / 2} y={base + 8} textAnchor="middle">
            {axis.x_label}
          </text>
        )}
        {series.map((one, order) => (
          <g key={one.name} className={`series s${order % 6}`}>
            {kind === "area" && one.data.length > 0 && (
              <path className="fill" d={`${path(one)}L${x(one.data.length - 1)} ${zero}L${x(0)} ${zero}Z`} />
            )}
            {kind !== "bar" && <path className="stroke" d={path(one)} />}
            {one.data.map((point, index) => {
              const about = <title>{[one.name, point.label, number.format(point.value)].join(" · ")}</title>;
              if (kind !== "bar")
                return (
                  <g key={point.label} className="point">
                    <circle className="hit" cx={x(index)} cy={y(point.value)} r="11" />
                    <circle cx={x(index)} cy={y(point.value)} r="3.4" />
                    {about}
                  </g>
                );
              const start = x(index) - (bar * series.length) / 2 + order * bar;
              return (
                <rect
                  key={point.label}
                  x={start + 1}
                  width={Math.max(bar - 2, 1)}
                  y={Math.min(y(point.value), zero)}
                  height={Math.max(Math.abs(y(point.value) - zero), 0.5)}
                  rx="2"
                >
                  {about}
                </rect>
              );
            })}
          </g>
        ))}
      </svg>
      {series.length > 1 && <Legend names={series.map((one) => one.name)} />}
    </>
  );
}

export function Legend({ names, notes }: { names: string[]; notes?: string[] }) {
  return (
    <ul className="legend">
      {names.map((name, index) => (
        <li key={name} className={`s${index % 6}`}>
          <i />
          {name}
          {notes && <small>{notes[index]}</small>}
        </li>
      ))}
    </ul>
  );
}
