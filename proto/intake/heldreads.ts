/**
 * Who does not take its answers is asked nothing more: while an answer waits to be taken, the next request is not read. A
 * caller that only writes would otherwise have its answers pile up here, each many times the size of its request.
 */
import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";

export const holdReads: ServerInterceptor = (_, call) => new HeldCall(call);

class HeldCall extends ServerInterceptingCall {
  #sending = 0;
  #isReadHeld = false;

  override sendMessage(message: unknown, sent: () => void): void {
    this.#sending += 1;
    super.sendMessage(message, () => {
      this.#sending -= 1;
      sent();
      if (this.#sending > 0 || !this.#isReadHeld) return;
      this.#isReadHeld = false;
      super.startRead();
    });
  }

  override startRead(): void {
    if (this.#sending > 0) this.#isReadHeld = true;
    else super.startRead();
  }
}
