const flame = "M17 7.5c.3 4 5.2 5.8 5.2 10.9a6.2 6.2 0 0 1-12.4 0c0-2.7 1.5-4.1 2.5-5.9.6 1.1 1.1 1.7 2 2.1 1.1-2.1 1-4.9 2.7-7.1z";

/** The hearth mark: arch, flame, stone. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path fill="#c9531b" d="M5 24.5V14.5a11 11 0 0 1 22 0v10z" />
      <rect fill="#c9531b" x="2" y="26.5" width="28" height="4" rx="1.6" />
      <path fill="#fff0e2" d={flame} />
    </svg>
  );
}

/** The flame alone: the unread line and empty states, nothing else. */
export function Flame({ className }: { className?: string }) {
  return (
    <svg className={className} viewBox="9 6 14 20" aria-hidden="true">
      <path fill="currentColor" d={flame} />
    </svg>
  );
}

/** The large arches of the door. */
export function Arches({ className }: { className?: string }) {
  return (
    <svg className={className} viewBox="0 0 640 900" preserveAspectRatio="xMidYMax slice" aria-hidden="true">
      <g fill="var(--ember-glow)">
        <path d="M28 900V560a292 292 0 0 1 584 0V900z" opacity="0.06" />
        <path d="M88 900V560a232 232 0 0 1 464 0V900z" opacity="0.08" />
        <path d="M148 900V560a172 172 0 0 1 344 0V900z" opacity="0.12" />
      </g>
      <path d="M208 900V560a112 112 0 0 1 224 0V900z" fill="#c9531b" />
      <path transform="translate(192 462) scale(8)" fill="#fff0e2" d={flame} />
      <rect x="0" y="684" width="640" height="216" fill="var(--bg-side)" />
      <rect x="8" y="682" width="624" height="14" rx="7" fill="#c9531b" />
    </svg>
  );
}
