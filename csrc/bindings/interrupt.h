// Ctrl-C during native code: a handler raises the core's flag, then does what Python's does.
#pragma once

namespace ranvier::bindings {

// While one of these lives on the main thread, SIGINT raises g_interrupt besides reaching Python's own handler. The
// flag is lowered when it goes.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  bool installed_ = false;
};

// On another thread than the guard's: until the main thread has taken notice.
void wait_until_lowered();

// With the GIL held: runs Python's signal handlers and throws what they raised, if they did.
void raise_pending_signals();

}  // namespace ranvier::bindings
