// What depends on the viewer's system.

/** Whether shortcuts have the key Command in place of Control. */
const isApple = /^(?:Mac|iPhone|iPad)/.test(navigator.platform);

/** The keys that open the command palette, in letters that every font has. */
export const PALETTE_KEYS = isApple ? "Cmd K" : "Ctrl K";
/** The keys that send a form. */
export const SUBMIT_KEYS = isApple ? "Cmd Enter" : "Ctrl Enter";
