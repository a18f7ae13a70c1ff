import socket, sys, xml.etree.ElementTree as xml
host, port, device, call, params = sys.argv[1:]
line, heard = socket.create_connection((host, port), timeout=5), xml.XMLPullParser()
heard.feed("<indi>")  # what a server says has no root element
def ask(wish, fits):
    line.sendall(xml.tostring(wish, "utf-8"))
    while not (told := [it for _, it in heard.read_events() if it.get("name") == "CAMERA_REPLY" and fits(it)]):
        try: heard.feed(line.recv(65536) or sys.exit("the server has gone"))
        except socket.timeout: sys.exit(f"{device} does not answer: is that its name, and does its driver run?")
    return told[0]
ask(xml.Element("getProperties", version="1.7", device=device, name="CAMERA_REPLY"), lambda it: it.tag == "defTextVector")
line.settimeout(120)  # no call takes longer
wish = xml.Element("newTextVector", device=device, name="CAMERA_CALL")
for name, text in {"NAME": call, "PARAMS": params}.items(): xml.SubElement(wish, "oneText", name=name).text = text
reply = ask(wish, lambda it: it.tag == "setTextVector" and it.findtext("oneText[@name='NAME']", "").strip() == call)
print(reply.findtext("oneText[@name='RESULT']").strip())
