namespace JobHost.TestHost;

/// <summary>Names this assembly to tests that start its program in their own process.</summary>
public sealed class EntryPoint;
