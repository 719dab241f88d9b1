/** The terminal's wire protocol. Placeholder types only until the codec stands here. */
export const TERMINAL_PROTOCOL_VERSION = 1;
