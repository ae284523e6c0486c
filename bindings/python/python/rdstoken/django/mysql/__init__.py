"""The backend `rdstoken.django.mysql`; `help(rdstoken.django)` is its manual."""
