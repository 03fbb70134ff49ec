// The local copy of a draft, in IndexedDB: written at once, deleted on submission and sign-out.
// Every function resolves even where the browser keeps no storage; a mirror is a comfort only.

const NAME = "drafts";
const WEEK = 7 * 24 * 3600 * 1000;

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(NAME, { keyPath: "claim" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function inStore(mode, act) {
  let database;
  try {
    database = await open();
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(NAME, mode);
      const asked = act(transaction.objectStore(NAME));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = () => reject(transaction.error);
    });
  } catch {
    return undefined;
  } finally {
    database?.close();
  }
}

// at: when the fields were typed, by the server's clock, as drafts are dated.
export const keep = (claim, fields, at) =>
  inStore("readwrite", (store) => store.put({ claim, fields, at }));

export const find = (claim) => inStore("readonly", (store) => store.get(claim));

export const drop = (claim) => inStore("readwrite", (store) => store.delete(claim));

// Drafts of claims that ended elsewhere must not stay for ever.
export const sweep = () => inStore("readwrite", (store) => {
  const asked = store.openCursor();
  asked.onsuccess = () => {
    const cursor = asked.result;
    if (!cursor) return;
    if (Date.now() - cursor.value.at > WEEK) cursor.delete();
    cursor.continue();
  };
  return asked;
});
