c = get_config()  # noqa: F821
c.CourseDirectory.root = __file__.rpartition("/")[0] + "/course"
load_subconfig("course/nbgrader_config.py")  # noqa: F821
