// Between NumPy and the core's types.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "graph/body.h"
#include "graph/graph.h"

namespace ranvier::bindings {

namespace py = pybind11;

DType dtype_from_name(const std::string& name);   // Error(kType) for a name that is not offered
DType dtype_of_array(const py::array& array);     // likewise
py::dtype numpy_dtype(DType dtype);
Shape shape_of(const py::array& array);
py::array new_array(const TensorType& type);      // uninitialised
py::tuple shape_tuple(const Shape& shape);
Attributes attributes_from(const py::dict& items);
// The array itself if it is C-contiguous and native, else a copy that is.
py::array contiguous(const py::array& array);

void bind_graph(py::module_& m);
void bind_program(py::module_& m);
void bind_profile(py::module_& m);
void bind_info(py::module_& m);
void bind_kernels(py::module_& m);
void bind_apart(py::module_& m);

}  // namespace ranvier::bindings
