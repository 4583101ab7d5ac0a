// Working without Python's global lock.
#pragma once

#include <Python.h>
#include <unistd.h>

#include <cstddef>  // says whose library it is
#if defined(__GLIBCXX__)
#include <cxxabi.h>
#endif

namespace ranvier::bindings {

// Lives while a thread works without the lock. pybind11's class of this purpose aborts the process where it ends while
// a daemon thread is at work: Python before 3.14 answers a thread that wants the lock back by unwinding its stack, and
// that must not leave a destructor. Here such a thread waits for the end, as it does in later versions of Python.
class GilReleased {
 public:
  GilReleased() : state_(PyEval_SaveThread()) {}
  // Not looked at by UBSan: an unwinding that is no exception has no object, and the handler's reference none to bind.
#if defined(__GNUC__)
  __attribute__((no_sanitize("undefined")))
#endif
  ~GilReleased() {
#if defined(__GLIBCXX__)
    try {
      PyEval_RestoreThread(state_);
    } catch (const abi::__forced_unwind&) {
      for (;;) pause();
    }
#else
    PyEval_RestoreThread(state_);
#endif
  }
  GilReleased(const GilReleased&) = delete;
  GilReleased& operator=(const GilReleased&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace ranvier::bindings
