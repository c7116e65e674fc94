"""Taking the patient out of CT images, after the basic confidentiality profile of PS3.15 annex E."""
