import { Legend } from "./Plot";

type Props = { segments: { label: string; value: number }[]; title: string; number: Intl.NumberFormat };

const RADIUS = 92;
const at = (turn: number, radius: number) =>
  `${(100 + radius * Math.sin(turn * 2 * Math.PI)).toFixed(2)} ${(100 - radius * Math.cos(turn * 2 * Math.PI)).toFixed(2)}`;

/** A pie chart, clockwise from noon, with each part's share in the legend. */
export function Pie({ segments, title, number }: Props) {
  const total = segments.reduce((sum, segment) => sum + segment.value, 0) || 1;
  const share = new Intl.NumberFormat(number.resolvedOptions().locale, { style: "percent", maximumFractionDigits: 1 });
  const notes = segments.map((segment) => `${number.format(segment.value)} (${share.format(segment.value / total)})`);
  let turned = 0;
  return (
    <div className="pie">
      <svg viewBox="0 0 200 200" role="img" aria-label={title}>
        {segments.map((segment, index) => {
          const start = turned / total;
          turned += segment.value;
          const end = turned / total;
          const whole = end - start > 0.9999;
          return (
            <g key={segment.label} className={`series s${index % 6}`}>
              {whole ? (
                <circle className="slice" cx="100" cy="100" r={RADIUS} />
              ) : (
                <path
                  className="slice"
                  d={`M100 100L${at(start, RADIUS)}A${RADIUS} ${RADIUS} 0 ${end - start > 0.5 ? 1 : 0} 1 ${at(end, RADIUS)}Z`}
                />
              )}
              <title>{`${segment.label} · ${notes[index]}`}</title>
            </g>
          );
        })}
      </svg>
      <Legend names={segments.map((segment) => segment.label)} notes={notes} />
    </div>
  );
}
