using System.Text;

namespace JobHost.Worker.Native;

/// <summary>
/// The environment of this process, for all who look at it: its own code, native code in it, the processes that it starts,
/// and whoever reads <c>/proc/PID/environ</c>, which is the memory that the process was started with.
/// </summary>
internal static unsafe class OwnEnvironment
{
    private const string SeenByOthers = "/proc/self/environ";

    /// <summary>Sets a variable for this process and those that it starts from here on; others do not see it.</summary>
    internal static void Set(string name, string value)
    {
        // The class library has a copy of its own, which it gives to what it starts.
        Environment.SetEnvironmentVariable(name, value);
        if (OperatingSystem.IsLinux())
        {
            _ = Libc.setenv(name, value, 1);
        }
    }

    /// <summary>Gives a variable another value that is as long, so that others see it, too.</summary>
    /// <returns>Whether they do.</returns>
    internal static bool TryReplace(string name, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        var place = Libc.getenv(name);
        if (place is null || Length(place) != bytes.Length)
        {
            return false;
        }
        bytes.CopyTo(new Span<byte>(place, bytes.Length));
        Environment.SetEnvironmentVariable(name, value);
        // Somebody may have moved it since this process was started.
        return Encoding.UTF8.GetString(File.ReadAllBytes(SeenByOthers)).Split('\0').Contains($"{name}={value}");
    }

    private static int Length(byte* text)
    {
        var length = 0;
        while (text[length] != 0)
        {
            length++;
        }
        return length;
    }
}
