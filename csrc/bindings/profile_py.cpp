// Profiles for Python: plain numbers and lists; tables and files are made there.
#include "bindings/convert.h"
#include "bindings/gil.h"
#include "runtime/profile.h"

namespace ranvier::bindings {
namespace {

py::list programs(const Profile& profile) {
  py::list programs;
  for (const Profile::ProgramRows& program : profile.programs()) {
    py::list rows;
    for (const Profile::Row& row : program.rows)
      rows.append(py::make_tuple(row.phase, row.cost ? row.cost->what : "", row.cost && row.cost->dtype == DType::f64 ? "float64" : "float32",
                                 row.count, row.total_ns, row.least_ns, row.flops, row.bytes));
    programs.append(py::make_tuple(program.name, program.arena_bytes, rows));
  }
  return programs;
}

// One row for each event: program, row, thread, begin, duration (nanoseconds).
py::array_t<std::int64_t> events(const Profile& profile) {
  const std::vector<Profile::Event> list = profile.events();
  py::array_t<std::int64_t> array({static_cast<py::ssize_t>(list.size()), py::ssize_t{5}});
  std::int64_t* at = array.mutable_data();
  for (const Profile::Event& event : list) {
    for (const std::int64_t value : {std::int64_t{event.program}, std::int64_t{event.row}, std::int64_t{event.thread}, event.begin_ns, event.duration_ns})
      *at++ = value;
  }
  return array;
}

py::dict machine_peak() {
  MachinePeak peak;
  {
    const GilReleased released;
    peak = cpu_backend().limits();
  }
  py::dict result;
  result["threads"] = peak.threads;
  result["float32"] = peak.flops_f32;
  result["float64"] = peak.flops_f64;
  result["bandwidth"] = peak.bandwidth;
  return result;
}

}  // namespace

void bind_profile(py::module_& m) {
  py::class_<Profile, ProfilePtr>(m, "Profile")
      .def(py::init<>())
      .def("start", [](const ProfilePtr& profile) { activate(profile); })
      .def("stop", [](const ProfilePtr& profile) { deactivate(profile); })
      .def("programs", &programs)
      .def("events", &events)
      .def_property_readonly("dropped_events", &Profile::dropped_events)
      .def_property_readonly("clock_ns", &Profile::clock_ns);
  m.def("machine_peak", &machine_peak);
}

}  // namespace ranvier::bindings
