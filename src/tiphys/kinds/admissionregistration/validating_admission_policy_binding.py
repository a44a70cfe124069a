"""ValidatingAdmissionPolicyBinding: where and with which parameters a policy holds."""

from __future__ import annotations

from tiphys.kinds.admissionregistration.policy_binding import policy_binding

KIND = policy_binding("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings")
