#include "bindings/interrupt.h"

#include <pybind11/pybind11.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "base/threading.h"
#include "bindings/gil.h"

namespace ranvier::bindings {
namespace {

struct sigaction g_previous;

void on_interrupt(int signal, siginfo_t* info, void* context) {
  g_interrupt.store(true, std::memory_order_relaxed);
  g_interrupts.fetch_add(1, std::memory_order_release);
  if (g_previous.sa_flags & SA_SIGINFO) g_previous.sa_sigaction(signal, info, context);
  else g_previous.sa_handler(signal);
}

bool on_main_thread() {
#if defined(__linux__)
  return syscall(SYS_gettid) == getpid();
#else
  return pthread_main_np() != 0;
#endif
}

}  // namespace

InterruptGuard::InterruptGuard() {
  struct sigaction current = {};
  if (!on_main_thread() || sigaction(SIGINT, nullptr, &current) != 0) return;
  const bool is_plain = !(current.sa_flags & SA_SIGINFO);
  if (is_plain && (current.sa_handler == SIG_DFL || current.sa_handler == SIG_IGN)) return;
  if (!is_plain && current.sa_sigaction == on_interrupt) return;  // an outer guard is there
  g_previous = current;
  struct sigaction action = {};
  action.sa_sigaction = on_interrupt;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  installed_ = sigaction(SIGINT, &action, nullptr) == 0;
}

InterruptGuard::~InterruptGuard() {
  if (!installed_) return;
  sigaction(SIGINT, &g_previous, nullptr);
  g_interrupt.store(false, std::memory_order_relaxed);  // the flag is up only while a guard lives
}

void wait_until_lowered() {
  const GilReleased released;
  while (interrupted()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void raise_pending_signals() {
  if (PyErr_CheckSignals() != 0) throw pybind11::error_already_set();
}

}  // namespace ranvier::bindings
