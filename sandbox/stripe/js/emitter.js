/** Listeners by type of event. */
class Emitter {
  /** @type {Map<string, {handler: (event: any) => any, once: boolean}[]>} */
  #listeners = new Map();

  /**
   * @param {string} type
   * @param {(event: any) => any} handler
   * @returns {this}
   */
  on(type, handler) {
    return this.#add(type, handler, false);
  }

  /**
   * @param {string} type
   * @param {(event: any) => any} handler
   * @returns {this}
   */
  once(type, handler) {
    return this.#add(type, handler, true);
  }

  /**
   * @param {string} type
   * @param {(event: any) => any} [handler] All of the type without it.
   * @returns {this}
   */
  off(type, handler) {
    const kept = (this.#listeners.get(type) ?? []).filter(
      (each) => handler !== undefined && each.handler !== handler,
    );
    this.#listeners.set(type, kept);
    return this;
  }

  /** @param {string} type */
  hears(type) {
    return (this.#listeners.get(type) ?? []).length > 0;
  }

  /**
   * @param {string} type
   * @param {any} [event]
   */
  emit(type, event) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      if (listener.once) this.off(type, listener.handler);
      try {
        listener.handler(event);
      } catch (error) {
        reportError(error); // the shop's mistake, which must not stop the others
      }
    }
  }

  /**
   * @param {string} type
   * @param {(event: any) => any} handler
   * @param {boolean} once
   */
  #add(type, handler, once) {
    demand(typeof handler === "function", `The handler of "${type}" has to be a function.`);
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), { handler, once }]);
    return this;
  }
}
