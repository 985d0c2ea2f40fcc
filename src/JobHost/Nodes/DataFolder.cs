using JobHost.Worker.Native;
using Microsoft.Extensions.Configuration;

namespace JobHost.Nodes;

/// <summary>
/// The data directory as a place: made for its owner alone, and refused where others could put something of theirs into it or in
/// its stead. What is in it decides who may do what.
/// </summary>
public static class DataFolder
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes it where it is missing, and checks it.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="mayBeShared">Whether it is used although others can write it.</param>
    /// <returns>Its full path.</returns>
    /// <exception cref="JobConfigurationException">It cannot be made, or others can write it.</exception>
    public static string Prepare(string path, bool mayBeShared)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        try
        {
            if (OperatingSystem.IsWindows())
            {
                return Directory.CreateDirectory(full).FullName;
            }
            Directory.CreateDirectory(full, OwnerOnly);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new JobConfigurationException(
                $"The data directory '{full}' cannot be used: {problem.Message} Set JobHost:DataDirectory to a folder that can be written.",
                problem
            );
        }
        if (!mayBeShared && ProblemOf(full) is { } danger)
        {
            throw new JobConfigurationException(
                $"The data directory '{full}' {danger}, and whoever writes it decides who may do what. Set JobHost:AllowSharedDataDirectory=true where nobody but you can do so after all."
            );
        }
        return full;
    }

    /// <inheritdoc cref="Prepare(string, bool)"/>
    /// <param name="configuration">The service's configuration.</param>
    public static string Prepare(IConfiguration configuration)
    {
        var section = configuration.GetSection("JobHost");
        return Prepare(section["DataDirectory"] ?? "data", section.GetValue<bool>("AllowSharedDataDirectory"));
    }

    private static string? ProblemOf(string path)
    {
        if (new DirectoryInfo(path).LinkTarget is { } target)
        {
            return $"is a link to '{target}': name the folder itself. Others may be able to point a link elsewhere";
        }
        if (!OperatingSystem.IsWindows())
        {
            var mode = File.GetUnixFileMode(path);
            if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != UnixFileMode.None)
            {
                return "can be written by others: 'chmod go-w' it";
            }
        }
        return OperatingSystem.IsLinux() && SafeFiles.IsSomebodyElses(path)
            ? "belongs to another user: 'chown' it"
            : null;
    }
}
