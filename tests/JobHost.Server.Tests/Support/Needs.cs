namespace JobHost.Server.Tests.Support;

/// <summary>Programs that a test needs and that a machine may not have: without them it is skipped, with the reason.</summary>
public static class Needs
{
    private static readonly string[] Folders =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'),
        "/usr/sbin",
        "/sbin",
    ];

    // Where everything is installed on purpose, a skip would hide a promise that was not tested.
    private static readonly bool RequireAll = Environment.GetEnvironmentVariable("JOBHOST_TESTS_REQUIRE_ALL") == "1";

    /// <summary>The path of a program, or the test is skipped.</summary>
    public static string Program(string name)
    {
        var path = Folders
            .Where(Path.IsPathRooted)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
        Unless(path is not null, $"The program '{name}' is not installed.");
        return path!;
    }

    /// <summary>Skips the test elsewhere than on Linux.</summary>
    public static void Linux() => Unless(OperatingSystem.IsLinux(), "This promise is made on Linux only.");

    /// <summary>Skips the test for anybody but the superuser.</summary>
    public static void Root() => Unless(Environment.IsPrivilegedProcess, "Only the superuser can set this scene.");

    /// <summary>Skips the test where something stands in its way.</summary>
    public static void Nothing(string? obstacle) => Unless(obstacle is null, obstacle ?? "");

    private static void Unless(bool given, string reason)
    {
        Assert.False(RequireAll && !given, $"JOBHOST_TESTS_REQUIRE_ALL is set. {reason}");
        Assert.SkipUnless(given, reason);
    }
}
