"""The doors of the web server, which ui/parts/shield.py puts before every answer.

auth: whether people sign in, soundly; origins: under which name the server is asked, by whose page;
routes: which addresses there are; refusals: what does not pass, in order; answers: what leaves.
"""
