// Ctrl-C during native code: a handler raises the core's flag, then does what Python's does.
#pragma once

namespace ranvier::bindings {

// While one of these lives on the main thread, SIGINT sets g_interrupt besides reaching Python's own handler.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  bool installed_ = false;
};

// With the GIL held: lowers the flag and throws what Python's signal handlers raised, if they did.
void raise_pending_signals();

}  // namespace ranvier::bindings
