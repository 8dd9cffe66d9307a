import type { ReactNode } from "react";

const icon = (path: ReactNode, size = 16) =>
  function Icon() {
    return (
      <svg className="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
        {path}
      </svg>
    );
  };

export const Chevron = icon(<path d="m4.500 6.500 3.500 3.500 3.500-3.500" />);
export const Left = icon(<path d="m9.800 3.500-4.300 4.500 4.300 4.500" />);
export const Right = icon(<path d="m6.200 3.500 4.300 4.500-4.300 4.500" />);
export const Cross = icon(<path d="m4.200 4.200 7.600 7.600m0-7.600-7.600 7.600" />);
export const Check = icon(<path d="m3.500 8.500 3 3 6-7" />);
export const Dots = icon(<path d="M3.500 8h.01M8 8h.01M12.500 8h.01" strokeWidth="2.400" />);
export const Hash = icon(<path d="M6.200 2.800 4.900 13.200m6.200-10.400L9.800 13.200M3 6h10.500M2.500 10H13" />);
export const Lock = icon(<path d="M4 7.500h8v5.700H4zM5.700 7.300V5.200a2.300 2.300 0 0 1 4.600 0v2.100" />);
export const Eye = icon(
  <>
    <path d="M1.800 8S4 3.900 8 3.900 14.200 8 14.200 8 12 12.100 8 12.100 1.800 8 1.800 8Z" />
    <circle cx="8" cy="8" r="1.900" />
  </>,
  14,
);
export const Send = icon(<path d="M2.500 13.300 14 8 2.500 2.700l1.600 4.600L9 8l-4.900.7Z" fill="currentColor" strokeWidth="1" />);
export const Talk = icon(<path d="M2.500 3.200h11v7.600H7.300l-3 2.500v-2.500H2.500z" />);
export const Sun = icon(
  <>
    <circle cx="8" cy="8" r="2.900" />
    <path d="M8 1.500v1.300m0 10.400v1.300M1.500 8h1.300m10.400 0h1.300M3.400 3.400l.9.9m7.400 7.400.9.900m0-9.200-.9.900m-7.400 7.400-.9.900" />
  </>,
);
export const Moon = icon(<path d="M13.300 9.600A5.800 5.800 0 0 1 6.400 2.700a5.600 5.600 0 1 0 6.900 6.900Z" />);
export const Screen = icon(<path d="M2 3h12v8H2zM6 13.500h4" />);
export const Group = icon(
  <>
    <circle cx="6" cy="5.400" r="2.300" />
    <path d="M1.800 13c.3-2.500 1.900-3.800 4.200-3.800s3.900 1.300 4.200 3.800M10.600 3.300a2.200 2.200 0 0 1 0 4.200m1.300 2c1.400.5 2.200 1.700 2.400 3.500" />
  </>,
);
export const Sort = icon(<path d="M5 3.500v9m-2.200-2.200L5 12.500l2.200-2.200M11 12.500v-9M8.800 5.700 11 3.500l2.200 2.200" />, 12);
export const Bars = icon(<path d="M3 13V8m5 5V3m5 10V6" />);
export const Grid = icon(<path d="M2.500 3h11v10h-11zM2.500 6.500h11m-11 3.200h11M6.500 6.500V13" />);
