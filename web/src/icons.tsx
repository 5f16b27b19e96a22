// Line icons on a 20 x 20 field.

const PATHS = {
    pennon: "M5 2v16M6 3.5h11l-4 3.5 4 3.5H6",
    overview: "M3 11a7 7 0 0 1 14 0M10 11l3.2-3.6M3 15h14",
    cores: "M6 6h8v8H6zM8 3v3M12 3v3M8 14v3M12 14v3M3 8h3M3 12h3M14 8h3M14 12h3",
    detectors: "M2.5 10h3l2-5.5 4 11 2.2-5.5h3.8",
    events: "M10 3l7.5 13.5h-15zM10 8v4M10 14.2v.3",
    processes: "M3 5h2M8 5h9M3 10h2M8 10h9M3 15h2M8 15h9",
    metrics: "M3 3v14h14M6 12.5l3.2-4 3 2.3L16.5 5",
    analyses: "M3 3.5h14v13H3zM3 7.5h14M7.5 7.5v9M10 13.5l2-3 1.5 2 2-3",
    upload: "M10 13V3.5M6 7l4-4 4 4M3 13v3.5h14V13",
    download: "M10 3v9.5M6 9l4 4 4-4M3 13v3.5h14V13",
    pause: "M7 4.5v11M13 4.5v11",
    play: "M6.5 4l9 6-9 6z",
    clear: "M4 4v4.5h4.5M4.6 8.5A6.4 6.4 0 1 1 3.8 12",
    sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M4.2 15.8l1.4-1.4M14.4 5.6l1.4-1.4",
    moon: "M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7z",
    help: "M7.2 7.4a2.8 2.8 0 1 1 4.2 2.5c-.9.5-1.4 1-1.4 2.1M10 15v.3",
    close: "M5 5l10 10M15 5L5 15",
    back: "M12 4l-6 6 6 6",
    search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13.2 13.2L17 17",
    up: "M5 12l5-5 5 5",
    down: "M5 8l5 5 5-5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName }) {
    return (
        <svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
            <path d={PATHS[props.name]} />
        </svg>
    );
}
