// Where dependency-cruiser and editors look for its settings by themselves.
export { default } from './dependency-cruiser.config.mjs';
