"""The backend `rdstoken.django.postgresql`; `help(rdstoken.django)` is its manual."""
