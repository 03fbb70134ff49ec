// The local copy of an answer that is not saved yet, in IndexedDB: written at each change, deleted
// once the server has it, on submission and on sign-out. What a page that goes away says last
// stands in localStorage beside it, since a write to a database would be cut off. Every function
// resolves even where the browser keeps no storage.
//
// A copy: {claim, holder, fields: [[name, value]], etag: of the revision it was typed upon,
// flying: the fields that were on their way to the server, at: milliseconds by the server's clock}.

const NAME = "drafts";
const LAST = "draft:";
const WEEK = 7 * 24 * 3600 * 1000;

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(NAME, { keyPath: "claim" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

// What `act` asked for, or undefined where nothing can be stored or there is no room.
async function inStore(mode, act) {
  let database;
  try {
    database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(NAME, mode);
      const asked = act(transaction.objectStore(NAME));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  } catch {
    return undefined;
  } finally {
    database?.close();
  }
}

// Whether the copy is in this browser now.
export const keep = async (copy) =>
  Boolean(await inStore("readwrite", (store) => store.put(copy)));

// Returns before the page is gone; whether there was room.
export function keepAtOnce(copy) {
  try {
    localStorage.setItem(LAST + copy.claim, JSON.stringify(copy));
    return true;
  } catch {
    return false;
  }
}

function lastWords(claim) {
  try {
    return JSON.parse(localStorage.getItem(LAST + claim)) ?? undefined;
  } catch {
    return undefined;
  }
}

function forget(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // Nothing was stored.
  }
}

function lastNames() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(LAST));
  } catch {
    return [];
  }
}

// The newer of the two copies, for whoever wrote it and nobody else.
export async function find(claim, holder) {
  const last = lastWords(claim);
  const kept = await inStore("readonly", (store) => store.get(claim));
  const newer = last && last.at >= (kept?.at ?? 0) ? last : kept;
  return newer?.holder === holder ? newer : undefined;
}

// Forget a copy; one that was written after `upTo` stays.
export function drop(claim, upTo = Infinity) {
  if ((lastWords(claim)?.at ?? 0) <= upTo) forget(LAST + claim);
  return inStore("readwrite", (store) => {
    const asked = store.get(claim);
    asked.onsuccess = () => { if (asked.result?.at <= upTo) store.delete(claim); };
    return asked;
  });
}

// Whether something that somebody typed here is nowhere else.
export async function unsaved() {
  return lastNames().length > 0 || Boolean(await inStore("readonly", (store) => store.count()));
}

// Nobody who uses this browser next reads what was typed here.
export function forgetAll() {
  lastNames().forEach(forget);
  return inStore("readwrite", (store) => store.clear());
}

// Copies of claims that ended elsewhere must not stay for ever.
export function sweep() {
  const old = (copy) => !(Date.now() - copy?.at <= WEEK);
  for (const name of lastNames()) if (old(lastWords(name.slice(LAST.length)))) forget(name);
  return inStore("readwrite", (store) => {
    const asked = store.openCursor();
    asked.onsuccess = () => {
      const cursor = asked.result;
      if (!cursor) return;
      if (old(cursor.value)) cursor.delete();
      cursor.continue();
    };
    return asked;
  });
}
