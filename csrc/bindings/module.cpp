// The extension module, its errors, and what it says of itself.
#include <new>
#include <stdexcept>

#include "base/cpu_features.h"
#include "base/status.h"
#include "base/threading.h"
#include "bindings/convert.h"

namespace ranvier::bindings {
namespace {

PyObject* exception_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kValue: return PyExc_ValueError;
    case ErrorKind::kType: return PyExc_TypeError;
    case ErrorKind::kIndex: return PyExc_IndexError;
    case ErrorKind::kMemory: return PyExc_MemoryError;
    case ErrorKind::kRuntime: return PyExc_RuntimeError;
  }
  return PyExc_RuntimeError;
}

py::dict build_info() {
  py::dict info;
#if defined(__clang__)
  info["compiler"] = "Clang " __clang_version__;
#else
  info["compiler"] = "GCC " __VERSION__;
#endif
  info["isas_compiled"] = compiled_isas();
  info["isas_supported"] = supported_isas();
  info["isa"] = chosen_isa();
  info["threads"] = max_threads();
  info["cuda"] = false;
  return info;
}

}  // namespace

void bind_info(py::module_& m) {
  m.def("build_info", &build_info);
  m.def("num_threads", &max_threads);
  m.def("set_num_threads", &set_max_threads, py::arg("threads"));
}

}  // namespace ranvier::bindings

PYBIND11_MODULE(_core, m) {
  using namespace ranvier;
  pybind11::register_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const Error& error) {
      PyErr_SetString(bindings::exception_of(error.kind()), error.what());
    } catch (const std::bad_alloc&) {
      PyErr_SetString(PyExc_MemoryError, "The memory that this call needs cannot be had.");
    } catch (const std::length_error&) {
      PyErr_SetString(PyExc_MemoryError, "The sizes of this call are too large.");
    }
  });
  chosen_isa();  // refuses a RANVIER_ISA that cannot be had, at import
  max_threads();
  bindings::bind_graph(m);
  bindings::bind_program(m);
  bindings::bind_profile(m);
  bindings::bind_info(m);
  bindings::bind_kernels(m);
  bindings::bind_apart(m);
}
