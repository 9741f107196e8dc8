import { en } from './words.en.js';
import { zh } from './words.zh.js';

/** lang is what the server has decided: en or zh-CN. */
export const lang = document.documentElement.lang;
const words = lang === 'zh-CN' ? zh : en;

/** t is a text with its {0}, {1} … replaced; a function decides by numbers. */
export function t(key, ...values) {
  const text = words[key] ?? en[key] ?? key;
  if (typeof text === 'function') return text(...values);
  return text.replace(/\{(\d)\}/g, (_, n) => String(values[n] ?? ''));
}

/** has says whether there is a text. */
export function has(key) {
  return key in words || key in en;
}

/** parts is a text cut at its {0}, {1} …, with nodes in their places. */
export function parts(key, ...nodes) {
  const text = words[key] ?? en[key] ?? key;
  return text.split(/\{(\d)\}/).map((part, i) => (i % 2 ? nodes[Number(part)] : part));
}
